// The layout of a class by the debug information: its fields, bases and member functions.
//
// Reads files only, like Program: in any thread, one thread an object, never in a signal handler.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "symbols/class_name.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// A data member. Members of anonymous unions and structs are members of the enclosing class, as in the language.
struct ClassField {
  std::string name;
  std::string type;          ///< as the demangler writes it: "char const*"; "" for a type without a name
  std::uint64_t offset = 0;  ///< bytes from the object's beginning; for a bit-field, of the byte with its first bit
  std::uint64_t size = 0;    ///< bytes; 0 when unknown
  unsigned bit = 0;          ///< a bit-field's first bit in that byte, from the lowest
  unsigned bits = 0;         ///< a bit-field's width; 0 for other fields
  std::string shape;         ///< the type's parts, down to scalars and pointers; "" when unknown
};

struct ClassBase {
  std::string type;                     ///< as the demangler writes it
  std::optional<std::uint64_t> offset;  ///< nothing for a virtual base, whose place depends on the object
  bool is_virtual = false;
  bool has_vptr = false;
  std::string shape;  ///< as a field's; "" when unknown
};

enum class MemberKind { constructor, destructor, method, static_method };

/// A member function that the class declares. Operators and conversions are methods.
struct MemberFunction {
  std::string name;  ///< demangled, with parameters: "ns::Data::print(int) const"
  MemberKind kind = MemberKind::method;
  bool is_virtual = false;
  std::optional<std::uint64_t> slot;  ///< in the vtable; nothing for destructors, for which compilers omit it
  std::string result;                 ///< as the demangler writes it; "" when unknown
  SourceLine place;                   ///< of the declaration; line 0 when unknown
};

struct ClassLayout {
  ClassName name;
  std::string module;
  SourceLine place;
  std::uint64_t size = 0;
  std::uint64_t alignment = 0;  ///< 0 if the fields determine it
  bool has_vptr = false;        ///< its own or a base's
  std::vector<ClassBase> bases;
  std::vector<ClassField> fields;  ///< non-static ones, in the order of declaration
  std::vector<MemberFunction> functions;
};

/// One entry of a member function. A constructor has several variants (complete object C1, base object C2), and so has
/// a destructor (also D0, which frees the object); several may share one address.
struct MemberCode {
  FunctionSymbol symbol;
  char variant = 0;  ///< '0', '1', '2' of constructors and destructors; 0 for others
};

/// The definitions of the class in the loaded modules, in their order; of equal ones in a module, the first.
/// More than one means that modules, or source files of one, disagree or have the class each. Empty when no debug
/// information defines it: a class in a function, or one compiled without -g.
std::vector<ClassLayout> class_layouts(const Program& program, const ClassName& name);

/// What the class's own entry in the debug information says. The functions only if some are virtual.
ClassLayout class_layout(const Dwarf_Die& type, const ClassName& name);

/// What `of_class` declares by the entry `member`, as the demangler writes it: "ns::Data::Data(int)".
std::string declared_name(const Dwarf_Die& member, const ClassName& of_class);

/// Every entry of the class's member functions with a symbol, module by module. Calls reach the first non-local one of
/// a name. Without thunks, which lead to a function's entry.
std::vector<MemberCode> member_code(const Program& program, const ClassName& of_class);

/// True when code compiled with one can use objects of the other; names of fields count.
bool is_same_layout(const ClassLayout& a, const ClassLayout& b);

}  // namespace moult::internal
