// The function that a pointer to a member function names (Itanium C++ ABI, 2.3, 2.5 and 3.2).
//
// Problem: for a virtual function the pointer holds an offset into a vtable. A class has several vtables: one more for
// each base with virtual functions that does not begin where the class does. Each lies behind as many offsets as it has
// virtual bases. In the wrong vtable the offset names another function.
//
// Approach: the pointer's second half is the place of the vtable pointer in the object. In the class's group of vtables
// (_ZTV) we look for the vtable for that place. In front of its functions lie the class's type_info and, before it, the
// distance back to the object's beginning, which no two vtables of a group share. An entry may be a thunk, which
// adjusts `this` and jumps to the function; its name holds the adjustment. An abstract class may have no vtable, since
// no object is of that class itself. Its debug information names the function of each place then.
//
// Limit: the replacement receives the old function's `this`. So a function that does not begin where the class's own
// objects begin is refused: name a method of such a base by that base.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "base/names.hpp"
#include "moult/error.hpp"
#include "moult/relinking.hpp"
#include "symbols/class_layout.hpp"
#include "symbols/name_query.hpp"
#include "symbols/program.hpp"

namespace moult {
namespace {

using internal::ClassLayout;
using internal::ClassName;
using internal::DataPlace;
using internal::FunctionSymbol;
using internal::Program;

/// The words of a class's group of vtables, as in memory.
using Group = std::vector<std::uintptr_t>;

Group read_group(const DataPlace& place) {
  Group words(place.size / sizeof(std::uintptr_t));
  std::memcpy(words.data(), reinterpret_cast<const void*>(place.address), words.size() * sizeof(std::uintptr_t));
  return words;
}

/// The index of the first function of the vtable for `offset` bytes into the object. `infos` are the class's
/// type_infos. A class that was compiled without RTTI has none, and its vtables have 0 in its place. Only the first
/// vtable of a class without virtual bases can be told then: two zeros begin it, and a function follows.
std::optional<std::size_t> first_function(const Group& words, const std::vector<std::uintptr_t>& infos,
                                          std::ptrdiff_t offset) {
  if (infos.empty()) {
    const bool is_plain = offset == 0 && words.size() > 2 && words[0] == 0 && words[1] == 0 && words[2] != 0;
    return is_plain ? std::optional<std::size_t>(2) : std::nullopt;
  }
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    const bool is_way_back = words[i] == static_cast<std::uintptr_t>(-offset);
    if (is_way_back && std::find(infos.begin(), infos.end(), words[i + 1]) != infos.end()) return i + 2;
  }
  return std::nullopt;
}

/// A thunk's action, by its name: "_ZThn16_N1D3beeEi" subtracts 16 from `this`, "_ZTv0_n24_N1D3beeEi" adds the word
/// that lies 24 bytes in front of the vtable's first function.
struct Thunk {
  std::ptrdiff_t fixed = 0;
  std::ptrdiff_t place_in_table = 0;  ///< 0: none
  std::string function;               ///< mangled
};

std::optional<std::ptrdiff_t> take_number(std::string_view& text) {
  const bool is_negative = text.starts_with('n');
  if (is_negative) text.remove_prefix(1);
  std::ptrdiff_t number = 0;
  const std::from_chars_result end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc() || end.ptr == text.data() + text.size() || *end.ptr != '_') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()) + 1);
  return is_negative ? -number : number;
}

/// Nothing for other functions, and for a thunk that changes the result too.
std::optional<Thunk> thunk_of(std::string_view mangled) {
  const bool is_virtual = mangled.starts_with("_ZTv");
  if (!is_virtual && !mangled.starts_with("_ZTh")) return std::nullopt;
  mangled.remove_prefix(4);
  Thunk thunk;
  const std::optional<std::ptrdiff_t> fixed = take_number(mangled);
  const std::optional<std::ptrdiff_t> place = is_virtual ? take_number(mangled) : 0;
  if (!fixed || !place) return std::nullopt;
  return Thunk{*fixed, *place, "_Z" + std::string(mangled)};
}

class Search final {
 public:
  Search(const Program& program, const std::type_info& type)
      : program_(program), type_(type), class_(internal::demangle(std::string("_ZTI") + type.name())) {
    class_.erase(0, std::string_view("typeinfo for ").size());
    for (const DataPlace& place : program.find_all_data(std::string("_ZTI") + type.name()))
      infos_.push_back(place.address);
    if (!infos_.empty()) infos_.push_back(reinterpret_cast<std::uintptr_t>(&type));
  }

  /// `offset` is the pointer's second half.
  FunctionSymbol virtual_function(std::ptrdiff_t place, std::ptrdiff_t offset) {
    if (!choose_group(offset)) {
      if (const std::optional<FunctionSymbol> declared = declared_at(ClassName(class_), place, offset))
        return *declared;
      throw_no_table();
    }
    FunctionSymbol found = function_at(word(offset, place));
    if (found.mangled == "__cxa_pure_virtual") throw_pure();
    while (const std::optional<Thunk> thunk = thunk_of(found.mangled)) {
      offset += thunk->fixed;
      if (thunk->place_in_table != 0) offset += static_cast<std::ptrdiff_t>(word(offset, thunk->place_in_table));
      found = function_behind(found, *thunk);
    }
    require_own(found, offset);
    return found;
  }

  /// Throws unless the function expects `this` at the object's beginning (`offset` 0).
  void require_own(const FunctionSymbol& function, std::ptrdiff_t offset) const {
    if (offset == 0 && !function.mangled.starts_with("_ZTc")) return;
    const std::string why =
        offset == 0 ? " changes the result of another"
                    : " belongs to a base of " + class_ + ", " + std::to_string(offset) + " bytes into its objects";
    throw Error(ErrorCode::invalid_argument,
                function.demangled + why +
                    "; name it by a pointer to a member of the class that defines it, and replace it by a method of a "
                    "class laid out like that one");
  }

  FunctionSymbol function_at(std::uintptr_t address) const {
    std::optional<FunctionSymbol> symbol = program_.at(internal::CodeAddress{address});
    if (!symbol || symbol->range.begin != internal::CodeAddress{address} || symbol->mangled.empty())
      throw Error(ErrorCode::not_found, class_ + ": what its member pointer names has no symbol, so it is not known " +
                                            "which function it is; look it up by name instead");
    return *symbol;
  }

 private:
  /// Of several modules' groups, the one with the type_info of the pointer's class, else the first. For a class in an
  /// unnamed namespace the name proves nothing. False when there is none.
  bool choose_group(std::ptrdiff_t offset) {
    const bool is_local = std::string_view(type_.name()).find("_GLOBAL__N_") != std::string_view::npos;
    std::vector<DataPlace> places = program_.find_all_data(std::string("_ZTV") + type_.name());
    const std::vector<std::uintptr_t> own(infos_.empty() ? infos_.end() : infos_.end() - 1, infos_.end());
    for (const std::vector<std::uintptr_t>& infos : {own, infos_}) {
      for (const DataPlace& place : places) {
        group_ = read_group(place);
        if (first_function(group_, infos, offset)) return true;
      }
      if (is_local) break;
    }
    if (infos_.empty() && !places.empty())
      throw Error(ErrorCode::unsupported,
                  class_ +
                      ": was compiled without RTTI (-fno-rtti), so its vtables cannot be told apart; look the "
                      "function up by name instead");
    return false;
  }

  /// The function that the class, or the base that its objects begin with, declares for that place of its vtable.
  std::optional<FunctionSymbol> declared_at(const ClassName& declared, std::ptrdiff_t place, std::ptrdiff_t offset,
                                            int depth = 0) const {
    constexpr int deepest = 30;
    constexpr std::ptrdiff_t size = sizeof(std::uintptr_t);
    if (offset != 0 || depth > deepest) return std::nullopt;
    const std::vector<ClassLayout> layouts = internal::class_layouts(program_, declared);
    if (layouts.empty()) return std::nullopt;
    const ClassLayout& layout = layouts.front();
    for (const internal::MemberFunction& function : layout.functions)
      if (function.slot && static_cast<std::ptrdiff_t>(*function.slot) * size == place)
        return function_called(function.name);
    for (const internal::ClassBase& base : layout.bases)
      if (base.has_vptr && base.offset == 0 && !base.type.empty())
        return declared_at(ClassName(base.type), place, offset, depth + 1);
    return std::nullopt;
  }

  FunctionSymbol function_called(const std::string& demangled) const {
    for (const FunctionSymbol& function : program_.find(internal::qualified_name(demangled)))
      if (function.demangled == demangled && function.range.size() > 0) return function;
    throw_pure();
  }

  [[noreturn]] void throw_pure() const {
    throw Error(ErrorCode::not_found,
                class_ + ": that virtual function is pure, or has no code; name a class that defines it");
  }

  [[noreturn]] void throw_no_table() const {
    throw Error(ErrorCode::not_found, class_ +
                                          ": it has no vtable with a symbol; define one of its virtual functions "
                                          "outside of the class, or construct an object of it");
  }

  /// The word `place` bytes behind the first function of the vtable for `offset`.
  std::uintptr_t word(std::ptrdiff_t offset, std::ptrdiff_t place) const {
    constexpr std::ptrdiff_t size = sizeof(std::uintptr_t);
    const std::optional<std::size_t> first = first_function(group_, infos_, offset);
    const std::ptrdiff_t at = first ? static_cast<std::ptrdiff_t>(*first) + place / size : -1;
    if (at < 0 || at >= static_cast<std::ptrdiff_t>(group_.size()) || place % size != 0)
      throw Error(ErrorCode::not_found, class_ +
                                            ": its vtable in the program has no such place; was the class changed "
                                            "since the program was built?");
    return group_[static_cast<std::size_t>(at)];
  }

  FunctionSymbol function_behind(const FunctionSymbol& thunk_symbol, const Thunk& thunk) const {
    std::vector<FunctionSymbol> named = program_.find(thunk.function);
    std::stable_partition(named.begin(), named.end(), [&thunk_symbol](const FunctionSymbol& function) {
      return function.module == thunk_symbol.module;
    });
    if (named.empty() || named.front().range.size() == 0)
      throw Error(ErrorCode::not_found, thunk_symbol.demangled + " leads to " + internal::demangle(thunk.function) +
                                            ", which has no symbol; look it up by name instead");
    return named.front();
  }

  const Program& program_;
  const std::type_info& type_;
  std::string class_;
  std::vector<std::uintptr_t>
      infos_;  ///< the class's type_info in each module; last the pointer's own; empty without RTTI
  Group group_;
};

}  // namespace

namespace detail::inline MOULT_ABI_NAMESPACE {

const void* member_function(const std::type_info& type, MemberPointer parts) {
  const Program program = Program::of_this_process();
  Search search(program, type);
  if ((parts.function & 1) == 0) {
    search.require_own(search.function_at(parts.function), parts.adjustment);
    return reinterpret_cast<const void*>(parts.function);
  }
  const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(parts.function - 1);
  return reinterpret_cast<const void*>(value(search.virtual_function(place, parts.adjustment).range.begin));
}

}  // namespace detail::inline MOULT_ABI_NAMESPACE
}  // namespace moult
