#include "platform/module_generation.hpp"

#include <link.h>

#include <cstddef>

namespace moult::internal {

std::uint64_t module_generation() {
  std::uint64_t generation = 0;
  auto read = [](dl_phdr_info* info, std::size_t, void* data) {
    *static_cast<std::uint64_t*>(data) = info->dlpi_adds + info->dlpi_subs;
    return 1;
  };
  ::dl_iterate_phdr(read, &generation);
  return generation;
}

}  // namespace moult::internal
