// The functions that Updatable's operators call, from any module.
#include "moult/detail/pools.hpp"

#include <algorithm>
#include <bit>

#include "base/opaque.hpp"
#include "pools/class_pools.hpp"
#include "pools/thread_slabs.hpp"

namespace moult::detail::inline MOULT_ABI_NAMESPACE {
namespace {

/// The largest alignment that a class of this size may need without alignas: its size is a multiple of it.
std::size_t natural_alignment(std::size_t size) noexcept {
  constexpr std::size_t most = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
  return std::min(most, std::size_t{1} << std::countr_zero(size | most));
}

}  // namespace

OpaquePool& pool_of(const std::type_info& type, const ObjectShape& shape) {
  return internal::pool_of(type, {shape.size, shape.alignment, shape.reserve});
}

void* allocate(OpaquePool& pool) { return internal::allocate(internal::behind<internal::Pool>(pool)); }

void* allocate_subclass(OpaquePool& own, std::size_t size, std::size_t alignment) {
  return internal::allocate(internal::subclass_pool(internal::behind<internal::Pool>(own), size,
                                                    alignment != 0 ? alignment : natural_alignment(size)));
}

void deallocate(void* slot) noexcept { internal::deallocate(slot); }

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
