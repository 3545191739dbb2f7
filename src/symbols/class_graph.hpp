// Which types and functions reach a class, and how: a graph of who mentions whom.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace moult::internal {

/// How much of a class something depends on.
enum class Reach : std::uint8_t {
  none,
  layout,  ///< by pointer or reference: on where the fields are
  size,    ///< by value, or in an array or a container of values: on its size too
};

/// Nodes are numbers from 0: types, functions, variables.
class ClassGraph final {
 public:
  std::size_t add_node() { return count_++; }
  /// `from` mentions `to`, by value or by pointer.
  void add_edge(std::size_t from, std::size_t to, bool by_pointer) { edges_.push_back({from, to, by_pointer}); }

  /// How each node reaches `wanted`: directly, or through others, however far away. A pointer to what has a value of
  /// the class inside depends on its size, as what lies behind the value moves with it. What `wanted` itself mentions
  /// is of no matter.
  std::vector<Reach> reach_of(std::size_t wanted) const;

 private:
  struct Edge {
    std::size_t from = 0;
    std::size_t to = 0;
    bool by_pointer = false;
  };
  std::size_t count_ = 0;
  std::vector<Edge> edges_;
};

}  // namespace moult::internal
