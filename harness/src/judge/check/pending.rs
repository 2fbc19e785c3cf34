use super::{Shown, View};

pub(in crate::judge) fn rca_10(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn rca_11(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn rca_12(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn tf_11(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn tf_12(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn tf_13(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn tls_13(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn tls_14(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn tls_15(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn tls_16(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn tls_17(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn tls_18(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn tls_19(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn tls_20(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn tls_21(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}

pub(in crate::judge) fn tls_22(_: &View<'_>) -> Vec<Shown> {
    Vec::new()
}
