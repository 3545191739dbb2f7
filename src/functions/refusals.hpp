// The texts of refusals: several reasons for one change, and lists of inlined copies.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "moult/error.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// Collects refusals, so that the author sees all of them at once.
class Refusals final {
 public:
  void add(ErrorCode code, const std::string& text) {
    if (!code_) code_ = code;
    text_ += (text_.empty() ? "" : "\n") + text;
  }
  void add(const Error& error) { add(error.code(), error.what()); }
  bool empty() const noexcept { return !code_; }
  void throw_if_any() const {
    if (code_) throw Error(*code_, text_);
  }

 private:
  std::optional<ErrorCode> code_;
  std::string text_;
};

/// The loader binds callers of an indirect function to the version for this machine. The C library has such functions,
/// and the attribute target_clones makes them.
[[noreturn]] inline void throw_indirect(const FunctionSymbol& function) {
  throw Error(ErrorCode::unsupported, function.demangled + " in " + function.module +
                                          " is an indirect function (IFUNC): callers were bound to one of several "
                                          "versions when the program was loaded; redefine what calls it instead");
}

/// "a.cpp:42 (main), b.cpp:7 (f(int))": the first twenty.
inline std::string list_sites(const std::vector<InlinedSite>& sites) {
  constexpr std::size_t most = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(sites.size(), most); ++i)
    text += (i == 0 ? "" : ", ") + sites[i].file + ":" + std::to_string(sites[i].line) + " (" + sites[i].caller + ")";
  if (sites.size() > most) text += ", and " + std::to_string(sites.size() - most) + " more";
  return text;
}

}  // namespace moult::internal
