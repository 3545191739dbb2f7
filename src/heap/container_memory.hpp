// Where the elements of a container are, by what stands in its memory. Nothing is believed: what does not fit together
// is no container, as when a thread was stopped in the middle of changing it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pools/readable_memory.hpp"
#include "symbols/heap_plan.hpp"

namespace moult::internal {

/// Elements side by side.
struct ElementRun {
  std::uintptr_t begin = 0;
  std::size_t count = 0;
};

/// How large elements are, and aligned to what.
struct ElementShape {
  std::size_t size = 0;
  std::size_t alignment = 1;
};

/// Reads the container of `shape` (range, deque or optional) whose object is at `address` and can be read. False when
/// its parts disagree; `runs` is of no use then. Throws std::bad_alloc.
bool read_runs(ReadableMemory& memory, const HeapType& container, ElementShape element, std::uintptr_t address,
               std::vector<ElementRun>& runs);

/// The same for containers of nodes (list, chain or tree): the elements in their order.
bool read_nodes(ReadableMemory& memory, const HeapType& container, ElementShape element, std::uintptr_t address,
                std::vector<std::uintptr_t>& elements);

}  // namespace moult::internal
