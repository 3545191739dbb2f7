// Slabs converted while the conversion may still be undone: their old bytes are still evacuated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "base/guarded.hpp"
#include "convert/evacuated_region.hpp"
#include "convert/slab_conversion.hpp"
#include "moult/detail/conversion.hpp"

namespace moult::internal {

/// Safe in any thread.
class UndoLog final {
 public:
  struct Entry {
    EvacuatedRegion* region = nullptr;
    std::uint32_t slab = 0;
    std::vector<ConvertedWord> words{};
  };
  using Entries = std::list<Entry>;

  /// Throws std::bad_alloc.
  explicit UndoLog(detail::ObjectConverter& converter);

  /// A list of one entry, made before the conversion so that add() cannot fail. Throws std::bad_alloc.
  static Entries prepare(EvacuatedRegion& region, std::uint32_t slab) { return Entries{Entry{&region, slab, {}}}; }
  /// Records that the prepared slab is converted as `words` say.
  void add(Entries one, std::vector<ConvertedWord> words) noexcept;

  /// In a stop: destroys the new values, and makes the evacuated bytes the ones to restore. False when the log was
  /// empty. The destructors may have further slabs converted, which are in the log afterwards.
  bool put_back() noexcept;
  /// In a stop: the slabs stay converted, and the old values are destroyed.
  void end_olds() noexcept;

 private:
  Entries take() noexcept;
  void put_back(Entry& entry) noexcept;
  void end_olds(const Entry& entry) noexcept;

  detail::ObjectConverter& converter_;
  std::unique_ptr<std::byte[]> scratch_;
  Guarded<Entries> all_;
};

}  // namespace moult::internal
