// What Updatable's operators call, from any module.
#include "moult/detail/pools.hpp"

#include <algorithm>
#include <bit>

#include "data/class_pools.hpp"
#include "data/thread_slabs.hpp"

namespace moult::detail {
namespace {

/// An alignment that every class of this size without one of its own gets by with: a size is a multiple of it.
std::size_t natural_alignment(std::size_t size) noexcept {
  constexpr std::size_t most = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
  return std::min(most, std::size_t{1} << std::countr_zero(size | most));
}

}  // namespace

data::Pool& pool_of(const std::type_info& type, const ObjectShape& shape) {
  return data::pool_of(type, {shape.size, shape.alignment, shape.reserve});
}

void* allocate(data::Pool& pool) { return data::allocate(pool); }

void* allocate_subclass(data::Pool& own, std::size_t size, std::size_t alignment) {
  return data::allocate(data::subclass_pool(own, size, alignment != 0 ? alignment : natural_alignment(size)));
}

void deallocate(void* slot) noexcept { data::deallocate(slot); }

}  // namespace moult::detail
