//! Which licences may be in the product.

use spdx::{Expression, ParseMode};

/// Permissive: the product may be passed on under its own licence, with their notices beside it.
const ALLOWED: [&str; 10] =
    ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "ISC", "MIT", "Unicode-3.0", "Unlicense", "Zlib"];

/// The expression in its present form; older crates write `MIT/Apache-2.0`. `Err` says why it is not allowed.
pub(crate) fn check(licence: Option<&str>) -> Result<String, String> {
    let licence = licence.ok_or("has no licence")?;
    let expression = Expression::parse_mode(licence, ParseMode::LAX)
        .map_err(|error| format!("has the licence '{licence}', which is no SPDX expression: {}", error.reason))?;
    let allowed = expression.evaluate(|required| {
        // With an exception, more is permitted than without.
        required.license.id().is_some_and(|id| ALLOWED.contains(&id.name))
    });
    if !allowed {
        return Err(format!("has the licence '{licence}', which is not allowed; allowed are {}", ALLOWED.join(", ")));
    }
    Ok(licence.replace('/', " OR "))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn one_allowed_alternative_is_enough() {
        assert_eq!(check(Some("MIT OR GPL-3.0-only")), Ok("MIT OR GPL-3.0-only".into()));
        assert_eq!(check(Some("(GPL-2.0-only OR ISC) AND MIT")), Ok("(GPL-2.0-only OR ISC) AND MIT".into()));
    }

    #[test]
    fn every_licence_that_applies_must_be_allowed() {
        assert!(check(Some("MIT AND GPL-3.0-only")).is_err_and(|why| why.contains("not allowed")));
    }

    #[test]
    fn a_licence_that_binds_the_product_is_refused() {
        for licence in ["GPL-2.0-only", "LGPL-2.1-or-later", "AGPL-3.0-only", "MPL-2.0", "LicenseRef-own"] {
            assert!(check(Some(licence)).is_err_and(|why| why.contains("not allowed")), "{licence}");
        }
    }

    #[test]
    fn no_licence_and_an_unknown_one_are_refused() {
        assert_eq!(check(None), Err("has no licence".into()));
        assert!(check(Some("do what you want")).is_err_and(|why| why.contains("no SPDX expression")));
    }

    #[test]
    fn the_old_form_of_alternatives_is_written_anew() {
        assert_eq!(check(Some("MIT/Apache-2.0")), Ok("MIT OR Apache-2.0".into()));
    }

    #[test]
    fn an_exception_permits_more() {
        assert_eq!(check(Some("Apache-2.0 WITH LLVM-exception")), Ok("Apache-2.0 WITH LLVM-exception".into()));
    }
}
