// The elements of a container, by its content in memory. Every pointer and count is checked: a thread may have been
// stopped in the middle of a change. A container whose parts disagree is rejected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pools/readable_memory.hpp"
#include "symbols/heap_plan.hpp"

namespace moult::internal {

/// Elements in consecutive memory.
struct ElementRun {
  std::uintptr_t begin = 0;
  std::size_t count = 0;
};

/// The size and the alignment of elements.
struct ElementShape {
  std::size_t size = 0;
  std::size_t alignment = 1;
};

/// Reads the container of `shape` (range, deque or optional) whose readable object is at `address`. False when its
/// parts disagree; then `runs` is unspecified. Throws std::bad_alloc.
bool read_runs(ReadableMemory& memory, const HeapType& container, ElementShape element, std::uintptr_t address,
               std::vector<ElementRun>& runs);

/// The same for containers of nodes (list, chain or tree), with the elements in order.
bool read_nodes(ReadableMemory& memory, const HeapType& container, ElementShape element, std::uintptr_t address,
                std::vector<std::uintptr_t>& elements);

}  // namespace moult::internal
