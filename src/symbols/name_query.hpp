// What a user types to name a function, and whether a symbol answers to it.
//
// Demangling costs a microsecond or two a name and a program has up to a million, so a name is first compared with the
// mangled symbol: an identifier stands in it literally with its length in front ("f" as "1f"). Only symbols that pass
// are demangled.
//
// How far two names are apart, as a typing hand makes mistakes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace moult::internal {

/// True of a character that a C++ identifier may hold, a dollar sign included, which GCC and clang allow.
constexpr bool is_identifier_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

class NameQuery final {
 public:
  /// "ns::f", "C::method", "f<int>", "a.cpp:f", "ns::f(int)", "_ZN2ns1fEi".
  explicit NameQuery(std::string_view text);

  /// False only when `mangled` (without ".cold" and the like) cannot fit. Quick.
  bool may_fit(std::string_view mangled) const;

  /// loose: it fits once template arguments are left out of the symbol's name.
  enum class Fit { none, loose, exact };
  Fit fit(std::string_view mangled, const std::string& demangled) const;

  /// "a.cpp" of "a.cpp:f"; empty when any file will do.
  const std::string& source() const noexcept { return source_; }
  NameQuery in_any_source() const;
  /// Compares the last components of the paths: the symbol table keeps no more of most of them.
  bool fits_source(std::string_view source) const;

 private:
  std::string source_;
  std::string name_;    ///< without spaces that mean nothing
  std::string needle_;  ///< what the mangled name must contain
  bool is_mangled_ = false;
  bool names_parameters_ = false;
  bool names_anonymous_ = false;
  bool may_be_loose_ = false;
};

/// "ns::f<int>" of "void ns::f<int>(int) const [clone .cold]": a view into the argument.
std::string_view qualified_name(std::string_view demangled);

/// "ns::C" of "ns::C::f<int>": a view into the argument; empty when there is none.
std::string_view scope_of(std::string_view qualified);

/// "f<int>" of "ns::f<int>": a view into the argument.
std::string_view last_name_of(std::string_view qualified);

/// What the mangled name of every member of the class must contain; empty when nothing is known to be.
std::string mangled_part_of_members(std::string_view class_name);

/// Letters that were added, left out, mistaken or swapped with their neighbour (optimal string alignment).
std::size_t typos_between(std::string_view one, std::string_view other);

/// Whether one may have been meant for the other: the longer they are, the more typos pass.
bool are_near(std::string_view one, std::string_view other);

}  // namespace moult::internal
