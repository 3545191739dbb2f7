// A user's query for a function by name, and the test whether a symbol matches it.
//
// Demangling takes a microsecond or two a name, and a program has up to a million names. So the query is compared with
// the mangled symbol first, which contains an identifier literally with its length in front ("f" as "1f"). Only symbols
// that pass are demangled. For suggestions, names are compared by the number of typing errors between them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace moult::internal {

/// True for a character of a C++ identifier, including the dollar sign, which GCC and clang allow.
constexpr bool is_identifier_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

class NameQuery final {
 public:
  /// "ns::f", "C::method", "f<int>", "a.cpp:f", "ns::f(int)", "_ZN2ns1fEi".
  explicit NameQuery(std::string_view text);

  /// False only when `mangled` (without ".cold" and the like) cannot fit. Quick.
  bool may_fit(std::string_view mangled) const;
  /// False only when a function without a mangled name cannot fit, by its name without a scope. Quick.
  bool may_fit_plain(std::string_view name) const;

  /// loose: matches after the symbol's template arguments are removed.
  enum class Fit { none, loose, exact };
  Fit fit(std::string_view mangled, const std::string& demangled) const;

  /// "a.cpp" in "a.cpp:f"; empty when any file matches.
  const std::string& source() const noexcept { return source_; }
  NameQuery in_any_source() const;
  /// The query for the function that a lambda is in: "f(int)" of "f(int)::{lambda(int)#1}::operator()". Nothing for
  /// other names.
  std::optional<NameQuery> around_lambda() const;
  /// An identifier that every matching symbol's name contains; empty when none is known.
  std::string_view identifier() const noexcept;
  /// The digits in front of it in mangled names: "1" for f. None for a query that is a mangled name itself.
  std::string_view length_in_mangled() const noexcept;
  /// True when the function's own name begins with identifier(): not for operators and lambdas.
  bool has_own_identifier() const noexcept { return has_own_identifier_; }
  /// Compares the last components of the paths: the symbol table has no more for most files.
  bool fits_source(std::string_view source) const;

 private:
  std::string source_;
  std::string name_;    ///< without insignificant spaces
  std::string needle_;  ///< a necessary part of the mangled name
  bool is_mangled_ = false;
  bool names_parameters_ = false;
  bool names_anonymous_ = false;
  bool may_be_loose_ = false;
  bool has_scope_ = false;
  bool is_operator_ = false;
  bool has_own_identifier_ = false;
};

/// "ns::f<int>" of "void ns::f<int>(int) const [clone .cold]": a view into the argument.
std::string_view qualified_name(std::string_view demangled);

/// True when `name` occurs in the text as a whole name.
bool has_name(std::string_view text, std::string_view name);

/// "ns::f()" of "ns::f[abi:cxx11]()".
std::string without_abi_tags(std::string text);

/// "f<std::string>(std::vector<int>)" of the same with every default argument of the standard library's templates, as
/// the demangler writes them. Without insignificant spaces.
std::string as_written(std::string_view name);

/// "ns::f" of "ns::(anonymous namespace)::f".
std::string without_unnamed_namespaces(std::string text);

/// "ns::C" of "ns::C::f<int>": a view into the argument; empty without a scope.
std::string_view scope_of(std::string_view qualified);

/// "f<int>" of "ns::f<int>": a view into the argument.
std::string_view last_name_of(std::string_view qualified);

/// "f" of "void ns::f<int>(int)" and of "ns::f[abi:cxx11]()": a view into the argument.
std::string_view plain_last_name(std::string_view demangled);

/// Inserted, omitted, replaced and transposed letters (optimal string alignment).
std::size_t typos_between(std::string_view one, std::string_view other);

/// True when one may be a misspelling of the other; longer names allow more errors, up to three.
bool are_near(std::string_view one, std::string_view other);

}  // namespace moult::internal
