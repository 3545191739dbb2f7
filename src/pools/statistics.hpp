// What the pools hold, as plain values.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace moult::internal {

/// Objects of one class in a pool.
struct HeldObjects {
  std::string class_name;  ///< demangled
  std::size_t live = 0;
  std::size_t object_size = 0;  ///< bytes
};

struct PoolStatistics {
  std::string class_name;         ///< demangled
  bool is_of_subclass = false;    ///< the pool of those subclasses of class_name that have this size
  std::vector<HeldObjects> held;  ///< what is made now first; after a conversion there may be a second class
  std::size_t slot_size = 0;      ///< bytes, as all below
  std::size_t reserved = 0;       ///< address space
  std::size_t resident = 0;       ///< memory of the slots
  std::size_t metadata = 0;       ///< memory beside the slots
};

/// Each pool's, by class in the order of their first use. The numbers of a running program are of no single moment.
std::vector<PoolStatistics> pool_statistics();

}  // namespace moult::internal
