//! Sampling the host and its pods.
