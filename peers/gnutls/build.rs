//! Declarations of the installed library's C API.

use std::path::PathBuf;

use bindgen::callbacks::{MacroParsingBehavior, ParseCallbacks};

/// The macros that are wanted; others repeat, for old programs, what enums declare.
#[derive(Debug)]
struct Macros;

impl ParseCallbacks for Macros {
    fn will_parse_macro(&self, name: &str) -> MacroParsingBehavior {
        let wanted = ["GNUTLS_E_", "GNUTLS_EXT_RAW_", "GNUTLS_HOOK_", "GNUTLS_KP_"];
        if wanted.iter().any(|prefix| name.starts_with(prefix)) {
            MacroParsingBehavior::Default
        } else {
            MacroParsingBehavior::Ignore
        }
    }
}

fn main() {
    let library = pkg_config::Config::new()
        .atleast_version("3.7.3")
        .probe("gnutls")
        .expect("libgnutls28-dev is installed");
    let includes = library
        .include_paths
        .iter()
        .map(|path| format!("-I{}", path.display()));
    let bindings = bindgen::builder()
        .header_contents(
            "gnutls.h",
            "#include <gnutls/gnutls.h>\n#include <gnutls/crypto.h>\n#include <gnutls/x509.h>\n",
        )
        .clang_args(includes)
        .parse_callbacks(Box::new(Macros))
        .allowlist_item("(gnutls|GNUTLS)_.*")
        .prepend_enum_name(false)
        .generate_cstr(true)
        .merge_extern_blocks(true)
        .generate()
        .expect("the headers are read");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    bindings
        .write_to_file(out.join("gnutls.rs"))
        .expect("the declarations are written");
}
