//! Examples of every requirement, what rulings read like, and what holds for every connection.

mod authentication;
mod closure;
mod examples;
mod extensions;
mod flags;
pub(super) mod linear;
mod properties;
mod rca;
mod receivers;
mod rm;
mod scene;
mod words;
