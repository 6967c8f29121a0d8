//! Whether MariaDB is used, where it is, and where its password comes from.

use super::*;
use secrecy::ExposeSecret;

#[test]
fn mariadb_is_used_once_it_has_an_address() {
    let mariadb = |file, variables: &[(&str, &str)]| resolve(file, variables).unwrap().mariadb;
    assert!(mariadb("[mariadb]\nuser = \"u\"\npassword_file = \"/p\"", &[]).is_none());
    assert!(mariadb("", &[("MYSQL_API_USER", "u"), ("MYSQL_API_PASSWORD", "p")]).is_none());

    let tcp = mariadb("[mariadb]\nhost = \"db.example\"", &[]).unwrap();
    assert_eq!(
        tcp.address,
        MariaDbAddress::Tcp {
            host: "db.example".into(),
            port: 3306
        }
    );
    assert_eq!(
        (tcp.user.as_str(), tcp.database.as_str()),
        ("dagda_api", "dagda_orchestrator")
    );
    assert!(tcp.password.is_none());

    let socket = mariadb(
        "[mariadb]\nsocket = \"/run/my.sock\"\nuser = \"u\"\ndatabase = \"d\"",
        &[],
    )
    .unwrap();
    assert_eq!(
        socket.address,
        MariaDbAddress::Socket("/run/my.sock".into())
    );
    assert_eq!((socket.user.as_str(), socket.database.as_str()), ("u", "d"));

    let seeds = [
        ("DB_HOST", "::1"),
        ("DB_PORT", "3307"),
        ("MYSQL_API_USER", "w"),
        ("MYSQL_API_PASSWORD", "p w"),
    ];
    let over = mariadb("[mariadb]\nsocket = \"/run/my.sock\"\nuser = \"u\"", &seeds).unwrap();
    assert_eq!(
        over.address,
        MariaDbAddress::Tcp {
            host: "::1".into(),
            port: 3307
        }
    );
    assert_eq!(over.user, "w");
    assert_eq!(over.password.unwrap().expose_secret(), "p w");
}

/// Resolves with MariaDB on and every secret file that `files` has.
fn password(
    variables: &[(&str, &str)],
    files: &'static [&'static str],
) -> Result<Option<String>, ConfigError> {
    let file = FileConfig::parse(
        "[mariadb]\nhost = \"db\"\npassword_file = \"/secret/file\"",
        Path::new(FILE),
    )?;
    let read = |path: &Path| {
        let known = files.iter().any(|known| Path::new(known) == path);
        if known {
            Ok(SecretString::from(format!("in {}", path.display())))
        } else {
            Err(std::io::Error::from(std::io::ErrorKind::NotFound).into())
        }
    };
    let config = Config::resolve(Some(file), &environment(variables), Identity::Root, &read)?;
    Ok(config
        .mariadb
        .unwrap()
        .password
        .map(|password| password.expose_secret().to_owned()))
}

#[test]
fn the_password_comes_from_variable_then_credential_then_file() {
    let credentials = ("CREDENTIALS_DIRECTORY", "/run/credentials");
    let all = &["/run/credentials/mariadb-password", "/secret/file"];
    assert_eq!(
        password(&[credentials, ("MYSQL_API_PASSWORD", "v")], all)
            .unwrap()
            .unwrap(),
        "v"
    );
    assert_eq!(
        password(&[credentials], all).unwrap().unwrap(),
        "in /run/credentials/mariadb-password"
    );
    assert_eq!(
        password(&[credentials], &["/secret/file"])
            .unwrap()
            .unwrap(),
        "in /secret/file"
    );
    assert_eq!(password(&[], all).unwrap().unwrap(), "in /secret/file");
    let error = password(&[], &[]).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot take the MariaDB password from /secret/file: "),
        "{error}"
    );
}

#[rstest]
#[case("[mariadb]\npassword = \"s3cret\"")]
#[case("[mariadb]\nhost = \"db\"\npassword = \"s3cret")]
#[case("[mariadb]\npasswd = \"s3cret\"")]
fn a_password_in_the_file_is_refused_and_not_repeated(#[case] file: &str) {
    let error = resolve(file, &[]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
}

#[test]
fn who_writes_a_password_into_the_file_hears_of_the_three_ways() {
    let error = message("[mariadb]\nhost = \"db\"\npassword = \"s3cret\"", &[]);
    for way in [
        "line 3",
        "MYSQL_API_PASSWORD",
        "LoadCredential=",
        "password_file",
    ] {
        assert!(error.contains(way), "{way} in {error}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let config = resolve("", &[("DB_HOST", "db"), ("MYSQL_API_PASSWORD", "s3cret")]).unwrap();
    assert!(
        config
            .mariadb
            .as_ref()
            .is_some_and(|mariadb| mariadb.password.is_some())
    );
    assert!(!format!("{config:?} {config:#?}").contains("s3cret"));
}
