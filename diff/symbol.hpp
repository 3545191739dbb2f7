// What the symbol tables of objects and of linked files have in common.
#pragma once

#include <gelf.h>

#include <string_view>

namespace moult::internal::diff {

enum class SymbolKind { function, data, thread_local_data, section, other };
enum class Binding { local, weak, global };

inline SymbolKind kind_of(const GElf_Sym& entry) noexcept {
  switch (GELF_ST_TYPE(entry.st_info)) {
    case STT_FUNC:
    case STT_GNU_IFUNC: return SymbolKind::function;
    case STT_OBJECT:
    case STT_COMMON: return SymbolKind::data;
    case STT_TLS: return SymbolKind::thread_local_data;
    case STT_SECTION: return SymbolKind::section;
    default: return SymbolKind::other;
  }
}

/// Its symbol's code selects a function at the start (STT_GNU_IFUNC).
inline bool is_indirect(const GElf_Sym& entry) noexcept { return GELF_ST_TYPE(entry.st_info) == STT_GNU_IFUNC; }

/// A unique symbol of GNU is one that several files define, as a weak one is.
inline Binding binding_of(const GElf_Sym& entry) noexcept {
  switch (GELF_ST_BIND(entry.st_info)) {
    case STB_LOCAL: return Binding::local;
    case STB_WEAK:
    case STB_GNU_UNIQUE: return Binding::weak;
    default: return Binding::global;
  }
}

/// "f" of "f.cold" and "f.cold.1": the unlikely part of a function, which only the function itself leads to. Empty for
/// any other name.
inline std::string_view owner_of_cold_part(std::string_view name) noexcept {
  const std::size_t at = name.rfind(".cold");
  if (at == std::string_view::npos) return {};
  const std::string_view rest = name.substr(at + std::string_view(".cold").size());
  const bool is_number = rest.find_first_not_of(".0123456789") == std::string_view::npos;
  return is_number && (rest.empty() || rest.front() == '.') ? name.substr(0, at) : std::string_view();
}

/// "x" of "x.12": compilers number the local symbols of one name (`static int x` in two functions of C).
inline std::string_view without_number(std::string_view name) noexcept {
  const std::size_t last = name.find_last_not_of("0123456789");
  const bool is_numbered = last != std::string_view::npos && last > 0 && last + 1 < name.size() && name[last] == '.';
  return is_numbered ? name.substr(0, last) : name;
}

}  // namespace moult::internal::diff
