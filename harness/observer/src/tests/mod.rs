//! Whole connections: real ones, forged ones, and what must hold for any bytes.

mod defects;
mod ends;
mod forged;
mod order;
mod properties;
mod real;
mod tls12;
