// Chunks that were converted before it was certain that they stay so: their old bytes are aside still.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "base/guarded.hpp"
#include "convert/slab_conversion.hpp"
#include "convert/evacuated_region.hpp"
#include "moult/detail/conversion.hpp"

namespace moult::internal {

/// Safe in any thread.
class UndoLog final {
 public:
  struct Chunk {
    EvacuatedRegion* region = nullptr;
    std::uint32_t slab = 0;
    std::vector<ConvertedWord> words{};
  };
  using Chunks = std::list<Chunk>;

  /// Throws std::bad_alloc.
  explicit UndoLog(detail::ObjectConverter& converter);

  /// The chunk alone. Throws std::bad_alloc.
  static Chunks prepare(EvacuatedRegion& region, std::uint32_t slab) { return Chunks{Chunk{&region, slab, {}}}; }
  /// What was prepared is converted, and `words` say how.
  void add(Chunks one, std::vector<ConvertedWord> words) noexcept;

  /// In a stop: the moved bytes of all become what they are to be when they are moved back, and the new values are
  /// destroyed. False when there were none. The destructors of these may have further chunks converted, which are there
  /// after that.
  bool put_back() noexcept;
  /// In a stop: they stay converted, and the old values are destroyed.
  void end_olds() noexcept;

 private:
  Chunks take() noexcept;
  void put_back(Chunk& chunk) noexcept;
  void end_olds(const Chunk& chunk) noexcept;

  detail::ObjectConverter& converter_;
  std::unique_ptr<std::byte[]> scratch_;
  Guarded<Chunks> all_;
};

}  // namespace moult::internal
