//! What the fuzz targets and the generator of their corpora share.

mod seal;
mod story;

pub use seal::Sealer;
pub use story::{Keyed, Step, Story};
