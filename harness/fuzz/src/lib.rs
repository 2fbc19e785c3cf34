//! What the fuzz targets and the generator of their corpora share.

mod story;

pub use story::{Step, Story};
