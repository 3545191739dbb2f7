// Types as the walk over the heap knows them: what a value of a type is, and where its parts lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace moult::internal {

inline constexpr std::size_t no_type = std::numeric_limits<std::size_t>::max();

/// What a value is to the walk.
enum class Shape : std::uint8_t {
  leaf,      ///< nothing in it leads anywhere
  untyped,   ///< what it leads to cannot be known: a void pointer, a std::function
  choice,    ///< which of its parts is there cannot be known: a union, a std::variant
  object,    ///< its parts
  array,     ///< count elements in a row
  pointer,   ///< to one value
  optional,  ///< perhaps a value
  range,     ///< std::vector: elements between two addresses
  deque,
  list,
  chain,  ///< std::forward_list, and the unordered containers
  tree,   ///< std::map, std::set and those with equal keys
};

/// Who owns what a pointer points to.
enum class Pointing : std::uint8_t {
  raw,     ///< nobody knows: a pointer, a reference
  unique,  ///< std::unique_ptr
  shared,  ///< std::shared_ptr, with a count beside
  weak,    ///< std::weak_ptr: there only while the count is not zero
};

/// Offsets in bytes. Which of them mean something the shape tells.
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
  std::uint64_t value = 0;  ///< of the element in a node, in an optional; of the use count in a control block
};

/// A member or a base that lies at a fixed place in its object.
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
  std::uint64_t alignment = 1;   ///< what the address of one is a multiple of, as far as that is known
  std::size_t target = no_type;  ///< of a pointer what it points to, of a container its elements
  std::uint64_t count = 0;       ///< elements of an array
  Places at;
  Pointing pointing = Pointing::raw;
  bool has_vtable = false;
  bool leads = false;                 ///< to something wanted, or is it
  std::optional<std::size_t> wanted;  ///< its number in the request: the classes', then the pointers'
  std::vector<HeapPart> parts;
  std::vector<HeapPart> bases;       ///< of one with a vtable: itself, and all it derives from, at fixed places
  std::vector<std::size_t> derived;  ///< what a pointer to it may point to besides
  /// What to do in an object, members of members included: go on to a value, or, where the part's type is a wanted
  /// class, visit.
  std::vector<HeapPart> steps;
};

}  // namespace moult::internal
