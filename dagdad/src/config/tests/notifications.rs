//! `[alerts]`: whom alerts are told to.

use super::*;
use secrecy::ExposeSecret;

/// Scheme, host, port and path of a webhook.
fn parts(options: &WebhookOptions) -> (bool, &str, u16, &str) {
    let WebhookOptions {
        encrypted,
        host,
        port,
        path,
    } = options;
    (*encrypted, host, *port, path.expose_secret())
}

fn webhook(file: &str) -> WebhookOptions {
    let config = resolve(file, &[]).unwrap();
    config.notifications.webhook.expect("a webhook")
}

#[test]
fn nobody_is_told_unless_somebody_said_so() {
    let NotificationOptions { hook, webhook } = resolve("", &[]).unwrap().notifications;
    assert!(hook.is_none() && webhook.is_none());
    // How long it may take is no program.
    let file = "[alerts]\non_alert_timeout = \"5s\"";
    assert!(resolve(file, &[]).unwrap().notifications.hook.is_none());
}

#[test]
fn a_program_is_run_with_its_arguments() {
    let file = "[alerts]\non_alert = [\"/bin/page me\", \"--loud\", \"\"]";
    let expected = HookOptions {
        program: "/bin/page me".into(),
        arguments: vec!["--loud".to_owned(), String::new()],
        timeout: Duration::from_secs(10),
    };
    let hook = |file: &str| resolve(file, &[]).unwrap().notifications.hook.unwrap();
    assert_eq!(hook(file), expected);
    // Beside conditions, and before or after them.
    let file = "[alerts]\nram_high = { percent = 90 }\non_alert_timeout = \"1m\"\non_alert = [\"/a\"]\n[alerts.cpu_high]\npercent = 50";
    assert_eq!(hook(file).timeout, Duration::from_mins(1));
    assert_eq!(resolve(file, &[]).unwrap().alerts.ram_high.percent, 90.0);
}

#[rstest]
#[case("https://example.org/hook?token=t", (true, "example.org", 443, "/hook?token=t"))]
#[case("http://localhost:8080", (false, "localhost", 8080, "/"))]
#[case("http://[::1]/x", (false, "::1", 80, "/x"))]
#[case("HTTPS://[fd00::1]:8443/", (true, "fd00::1", 8443, "/"))]
#[case("https://example.org?token=x", (true, "example.org", 443, "/?token=x"))]
fn a_webhook_is_a_url(#[case] url: &str, #[case] expected: (bool, &str, u16, &str)) {
    let options = webhook(&format!("[alerts]\nwebhook = \"{url}\""));
    assert_eq!(parts(&options), expected);
}

#[rstest]
#[case::no_list(
    "on_alert = \"/bin/page\"",
    "`alerts.on_alert` cannot be \"/bin/page\""
)]
#[case::nothing("on_alert = []", "`alerts.on_alert` cannot be []")]
#[case::relative("on_alert = [\"page\"]", "`alerts.on_alert` cannot be [\"page\"]")]
#[case::numbers("on_alert = [\"/bin/page\", 3]", "`alerts.on_alert` cannot be a list")]
#[case::no_time(
    "on_alert_timeout = \"0s\"",
    "`alerts.on_alert_timeout` cannot be \"0s\""
)]
#[case::misspelt("on_alrt = [\"/a\"]", "unknown key `alerts.on_alrt`")]
#[case::no_table("ram_high = 90", "`alerts.ram_high`")]
#[case::twice(
    "webhook = \"http://a\"\nwebhook_file = \"/b\"",
    "/x/dagdad.toml sets both `alerts.webhook` and `alerts.webhook_file`"
)]
fn what_makes_no_sense_is_refused(#[case] line: &str, #[case] said: &str) {
    let error = resolve(&format!("[alerts]\n{line}"), &[]).unwrap_err();
    let error = error.to_string().replace(FILE, "/x/dagdad.toml");
    assert!(error.starts_with(said), "{error}");
}

#[rstest]
#[case("ftp://example.org/s3cret")]
#[case("example.org/s3cret")]
#[case("https:///s3cret")]
#[case("https://user:s3cret@example.org/")]
#[case("https://example.org:99999/s3cret")]
#[case("https://example.org:0/s3cret")]
#[case("https://exa mple.org/s3cret")]
#[case("https://example[::1]/s3cret")]
#[case("https://[example.org]/s3cret")]
fn what_is_no_webhook_is_refused_and_not_repeated(#[case] url: &str) {
    let error = resolve(&format!("[alerts]\nwebhook = \"{url}\""), &[]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("`alerts.webhook` cannot be what it is set to ("),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
}

#[test]
fn a_webhook_is_in_no_debug() {
    let text = "[alerts]\nwebhook = \"https://example.org/s3cret\"";
    let file = FileConfig::parse(text, Path::new(FILE)).unwrap();
    assert!(!format!("{file:?}").contains("s3cret"), "{file:?}");
    let config = resolve(text, &[]).unwrap();
    assert!(config.notifications.webhook.is_some());
    assert!(!format!("{config:?} {config:#?}").contains("s3cret"));
}

/// What is told of `file`, where these files hold this.
fn from_files(
    file: &str,
    variables: &[(&'static str, &'static str)],
    files: &[(&str, &str)],
) -> Result<Option<WebhookOptions>, ConfigError> {
    let file = FileConfig::parse(file, Path::new(FILE))?;
    let read = |path: &Path| match files.iter().find(|(known, _)| Path::new(known) == path) {
        Some((_, text)) => Ok(SecretString::from(*text)),
        None => Err(std::io::Error::from(std::io::ErrorKind::NotFound).into()),
    };
    let config = Config::resolve(Some(file), &environment(variables), Identity::Root, &read)?;
    Ok(config.notifications.webhook)
}

#[test]
fn a_webhook_comes_from_the_credential_then_the_configuration_then_its_file() {
    let credentials = [("CREDENTIALS_DIRECTORY", "/run/credentials")];
    let files = [
        ("/run/credentials/alert-webhook", "http://credential/\n"),
        ("/secret/file", "http://file/"),
    ];
    let host = |file: &str, variables: &[_], files: &[_]| {
        let webhook = from_files(file, variables, files).unwrap();
        webhook.map(|webhook| webhook.host)
    };
    let named = "[alerts]\nwebhook_file = \"/secret/file\"";
    let written = "[alerts]\nwebhook = \"http://written\"";
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(host(named, &credentials, &files), said("credential"));
    assert_eq!(host(written, &credentials, &files), said("credential"));
    assert_eq!(host("", &credentials, &files), said("credential"));
    assert_eq!(host(written, &credentials, &[]), said("written"));
    assert_eq!(host(named, &credentials, &files[1..]), said("file"));
    assert_eq!(host("", &credentials, &[]), None);

    let error = from_files(named, &[], &[]).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot take the webhook from /secret/file: "),
        "{error}"
    );
    let error = from_files(named, &[], &[("/secret/file", "s3cret")]).unwrap_err();
    let error = format!("{error} {error:?}");
    assert!(
        error.starts_with("/secret/file holds no webhook; "),
        "{error}"
    );
    assert!(!error.contains("s3cret"), "{error}");
}
