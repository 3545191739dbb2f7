// The graph of uses: which types and functions depend on a class, and how.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace moult::internal {

/// How much of a class something depends on.
enum class Reach : std::uint8_t {
  none,
  layout,  ///< by pointer or reference: on the places of the fields
  size,    ///< by value, in an array, or in a container of values: on the size too
};

/// Nodes are numbers from 0: types, functions, variables.
class ClassGraph final {
 public:
  std::size_t add_node() { return count_++; }
  /// `from` uses `to`, by value or by pointer.
  void add_edge(std::size_t from, std::size_t to, bool by_pointer) { edges_.push_back({from, to, by_pointer}); }

  /// How each node depends on `wanted`, directly or through others. A pointer to an object that contains a value of the
  /// class depends on the size: the fields behind that value move. The uses by `wanted` itself do not count.
  std::vector<Reach> reach_of(std::size_t wanted) const;
  /// True for each node that has a value of `wanted` in it, itself or in a value that it has. A pointer has none.
  std::vector<bool> holders_of(std::size_t wanted) const;

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
