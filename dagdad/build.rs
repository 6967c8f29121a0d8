//! Makes cargo rebuild when a migration is added: `sqlx::migrate!` watches the files that
//! were there when it ran, not the folders.

fn main() {
    println!("cargo:rerun-if-changed=../migrations/sqlite");
    println!("cargo:rerun-if-changed=../migrations/mariadb");
}
