// What the debug information says of a class: where its fields are, and which member functions it has.
//
// Reads files only, like Program: in any thread, one thread an object, never in a signal handler.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "base/address.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// A data member. Those of anonymous unions and structs are members of the class around, as in the language.
struct ClassField {
  std::string name;
  std::string type;          ///< as the demangler writes it: "char const*"; "" for one that has no name
  std::uint64_t offset = 0;  ///< bytes from the object's beginning; of a bit-field, of the byte its first bit is in
  std::uint64_t size = 0;    ///< bytes; 0 when unknown
  unsigned bit = 0;          ///< where a bit-field begins in that byte, from the lowest bit
  unsigned bits = 0;         ///< how wide a bit-field is; 0 for other fields
  std::string shape;         ///< what the type is made of, down to scalars and pointers; "" when unknown
};

struct ClassBase {
  std::string type;                     ///< as the demangler writes it
  std::optional<std::uint64_t> offset;  ///< nothing for a virtual base, whose place each object tells
  bool is_virtual = false;
  bool has_vptr = false;
  std::string shape;  ///< as of a field; "" when unknown
};

enum class MemberKind { constructor, destructor, method, static_method };

/// A member function that the class declares. Operators and conversions are methods.
struct MemberFunction {
  std::string name;  ///< demangled, with parameters: "ns::Data::print(int) const"
  MemberKind kind = MemberKind::method;
  bool is_virtual = false;
  std::optional<std::uint64_t> slot;  ///< in the vtable; nothing for destructors, of which compilers do not tell
  std::string result;                 ///< as the demangler writes it; "" when unknown
  SourceLine place;                   ///< of the declaration; line 0 when unknown
};

struct ClassLayout {
  std::string name;  ///< as typeid, demangled, writes it: "ns::Box<unsigned long>"
  std::string module;
  SourceLine place;
  std::uint64_t size = 0;
  std::uint64_t alignment = 0;  ///< 0 where it follows from the fields
  bool has_vptr = false;        ///< its own or a base's
  std::vector<ClassBase> bases;
  std::vector<ClassField> fields;  ///< in the order of their declaration; static ones are none
  std::vector<MemberFunction> functions;
};

/// One entry of code of a member function. A constructor has several variants (complete object C1, base object C2), a
/// destructor too (and D0, which also frees); several may share one address.
struct MemberCode {
  FunctionSymbol symbol;
  char variant = 0;  ///< '0', '1', '2' of constructors and destructors; 0 for others
};

/// The name by which the functions below know a class: typeid's, demangled.
std::string name_of_class(const std::type_info& type);

/// The definitions of the class `name` in the loaded modules, in the modules' order; of those that are alike in one
/// module the first. So one element, unless modules, or source files of one, disagree or each have the class.
/// Empty where no debug information defines it: a class of a function, one compiled without -g.
std::vector<ClassLayout> class_layouts(const Program& program, std::string_view name);

/// Every entry of code of the class's member functions that has a symbol, module by module; calls reach the first of
/// one name that is not local. Thunks are none: they go on to the function's entry.
std::vector<MemberCode> member_code(const Program& program, std::string_view class_name);

/// True when objects laid out by one can be used by code compiled with the other, names of fields included.
bool is_same_layout(const ClassLayout& a, const ClassLayout& b);

}  // namespace moult::internal
