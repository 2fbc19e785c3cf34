//! Whole connections: real ones, forged ones, and what must hold for any bytes.

mod defects;
mod forged;
mod properties;
mod real;
