#include "pools/geometry.hpp"

#include "pools/slab.hpp"

namespace moult::internal {
namespace {

constexpr std::uint32_t smallest_slab_shift = 16;
constexpr std::uint32_t largest_slab_shift = 23;
constexpr std::size_t wanted_slots = 16;  // so that less than 1/16 of a slab is left over at its end

static_assert((std::size_t{1} << smallest_slab_shift) / smallest_slot / 64 <= 64, "a slab has at most 64 words");
static_assert(std::size_t{1} << largest_slab_shift == largest_slot, "the largest slot fills the largest slab");

}  // namespace

Geometry Geometry::of(std::size_t slot_size) noexcept {
  Geometry cut;
  cut.slot_size = static_cast<std::uint32_t>(slot_size);
  cut.slab_shift = smallest_slab_shift;
  while (cut.slab_shift < largest_slab_shift && wanted_slots * slot_size >> cut.slab_shift != 0) ++cut.slab_shift;
  cut.offset_mask = (std::uint32_t{1} << cut.slab_shift) - 1;
  cut.inverse = (std::uint64_t{1} << (2 * cut.slab_shift)) / slot_size + 1;
  cut.slots = static_cast<std::uint32_t>(cut.slab_size() / slot_size);
  cut.stride = static_cast<std::uint32_t>(sizeof(Slab) + 3 * Slab::bytes_of_words(cut.words()));
  cut.freed = static_cast<std::uint32_t>(Slab::bytes_of_words(cut.words()) / sizeof(Word));
  cut.slabs = static_cast<std::uint32_t>(region_size / cut.slab_size());
  return cut;
}

}  // namespace moult::internal
