//! Manifests: YAML text to domain types, and back to what the runtime takes.
