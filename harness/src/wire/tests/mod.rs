//! Whole connections: real ones, forged ones, and what must hold for any bytes.

mod forged;
mod properties;
mod real;
