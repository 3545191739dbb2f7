// Types as the walk over the heap knows them: what a value of a type is, and where its parts lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "symbols/class_name.hpp"

namespace moult::internal {

inline constexpr std::size_t no_type = std::numeric_limits<std::size_t>::max();

/// What a type is to the walk.
enum class Shape : std::uint8_t {
  leaf,      ///< leads nowhere
  untyped,   ///< its target is unknown: a void pointer, a std::function
  choice,    ///< its active part is unknown: a union, a std::variant
  object,    ///< has parts
  array,     ///< `count` consecutive elements
  pointer,   ///< to one value
  optional,  ///< one value or none
  range,     ///< std::vector: the elements between two addresses
  deque,
  list,
  chain,  ///< std::forward_list, and the unordered containers
  tree,   ///< std::map, std::set and their multi forms
};

/// The owner of a pointer's target.
enum class Pointing : std::uint8_t {
  raw,     ///< unknown: a pointer, a reference
  unique,  ///< std::unique_ptr
  shared,  ///< std::shared_ptr, with its count
  weak,    ///< std::weak_ptr: valid only while the count is not zero
};

/// Offsets in bytes. The shape determines which of them are used.
struct Places {
  static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t begin = 0;     ///< of the pointer, the flag, the first address, the first link
  std::uint64_t end = none;    ///< of the address behind the last element
  std::uint64_t limit = none;  ///< of the address behind the room for elements; of a deque's map
  std::uint64_t count = none;  ///< of the number of elements; of a shared pointer's control block
  std::uint64_t next = none;   ///< in a node
  std::uint64_t previous = none;
  std::uint64_t parent = none;
  std::uint64_t left = none;
  std::uint64_t right = none;
  std::uint64_t value = 0;  ///< of the element in a node or an optional; of the use count in a control block
};

/// A member or base at a fixed place in its object.
struct HeapPart {
  std::uint64_t offset = 0;
  std::size_t type = no_type;
  std::string name;  ///< ".entries"; "" for a base
  bool is_base = false;
};

struct HeapType {
  std::string name;
  Shape shape = Shape::leaf;
  std::uint64_t size = 0;        ///< bytes; 0 when unknown
  std::uint64_t alignment = 1;   ///< the greatest known divisor of all addresses
  std::size_t target = no_type;  ///< the type of a pointer's target or a container's elements
  std::uint64_t count = 0;       ///< elements of an array
  Places at;
  Pointing pointing = Pointing::raw;
  bool has_vtable = false;
  bool leads = false;                 ///< leads to something wanted, or is it
  std::optional<std::size_t> wanted;  ///< its number in the request: the classes', then the pointers'
  std::vector<HeapPart> parts;
  std::vector<HeapPart> bases;       ///< if it has a vtable: itself and all its bases at fixed places
  std::vector<std::size_t> derived;  ///< other classes that a pointer to it may point to
  /// The walk's steps in an object, nested members included: go on to a value, or visit, if the part's type is a wanted
  /// class.
  std::vector<HeapPart> steps;
};

struct WantedClass {
  ClassName name;
  std::size_t size = 0;
  std::size_t alignment = 0;
};

/// A pointer type that is wanted itself.
struct WantedPointer {
  std::string name;  ///< typeid's name, demangled: "int (*)(int)"
  std::size_t size = 0;
};

struct HeapRequest {
  std::vector<std::size_t> modules;  ///< indices into Program::modules(): their variables are the roots
  std::vector<WantedClass> wanted;
  bool follows_raw_pointers = true;
  std::vector<WantedPointer> pointers{};  ///< numbered behind the classes
};

}  // namespace moult::internal
