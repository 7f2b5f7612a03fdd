//! Who somebody is (`token`, `provider`, `viewer`), what they may do (`policy`), and cursors that only we can read (`seal`).

pub mod policy;
pub mod provider;
pub mod seal;
pub mod token;
pub mod viewer;

pub use viewer::Viewer;
