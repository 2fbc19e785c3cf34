//! Declarations of the library's C API, and the library, both where prepare-library has put them.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=REQMTLS_WOLFSSL");
    let root = std::env::var_os("REQMTLS_WOLFSSL")
        .expect("`reqmtls peers --build wolfssl` sets REQMTLS_WOLFSSL");
    let root = PathBuf::from(root);
    let bindings = bindgen::builder()
        .header_contents(
            "wolfssl.h",
            "#include <wolfssl/options.h>\n#include <wolfssl/ssl.h>\n#include <wolfssl/error-ssl.h>\n",
        )
        .clang_arg(format!("-I{}", root.join("include").display()))
        .allowlist_function("wolfSSL_.*|wolfTLS_.*")
        .allowlist_var("WOLFSSL_(EARLY_DATA|ERROR|FILETYPE|VERIFY)_.*")
        .allowlist_type("IOerrors|wolfCrypt_ErrorCodes|wolfSSL_ErrorCodes")
        .prepend_enum_name(false)
        .default_macro_constant_type(bindgen::MacroTypeVariation::Signed)
        .derive_default(true)
        .wrap_unsafe_ops(true)
        .generate_cstr(true)
        .merge_extern_blocks(true)
        .generate()
        .expect("the headers are read");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    bindings
        .write_to_file(out.join("wolfssl.rs"))
        .expect("the declarations are written");
    println!(
        "cargo::rustc-link-search=native={}",
        root.join("lib").display()
    );
    println!("cargo::rustc-link-lib=static=wolfssl");
}
