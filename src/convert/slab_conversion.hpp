// Conversion of the objects of one slab, in memory that no other thread accesses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "convert/conversion_plan.hpp"
#include "convert/staging_area.hpp"
#include "convert/wait_for_graph.hpp"
#include "moult/data_update.hpp"
#include "pools/slab.hpp"

namespace moult::internal {

/// An object that stays of the old class.
struct Unconverted {
  const std::byte* object = nullptr;
  std::string reason;
};

/// 64 slots, as they were and as they are: enough to undo their conversion.
struct ConvertedWord {
  std::uint32_t word = 0;
  std::uint64_t olds = 0;       ///< slots with objects of the old class
  std::uint64_t bits = 0;       ///< slots of converted objects
  std::uint64_t was_other = 0;  ///< the slots' `other` bits before
};

/// At any time, even while a transformer runs, a slot's bytes are an object of one class, and its `other` bit tells of
/// which.
class SlabConversion final {
 public:
  enum class Olds {
    ended,  ///< the old values are destroyed at once
    kept,   ///< their bytes have a copy elsewhere, and take_words() says which slots they are of
  };

  /// Takes all memory that run and leave need. Throws std::bad_alloc.
  SlabConversion(detail::ObjectConverter& converter, const PoolChange& change, Slab& slab, Unwritten unwritten,
                 Olds olds);

  /// Converts the slab's objects at `bytes`, away from their own addresses: both classes bear that. No slot becomes
  /// live or free meanwhile, unless the held slab is mapped early. Then the remaining objects stay as they are.
  void run(std::byte* bytes, const HeldSlab& held) noexcept;

  /// Before run_in_place. Throws std::bad_alloc.
  void prepare_in_place();
  /// In a stop: converts the objects in their slots. All transformers run before the first object changes. The old
  /// values are destroyed after the last object has changed.
  void run_in_place() noexcept;

  /// Instead of run: all objects stay as they are, for that reason.
  void leave(const char* reason) noexcept;

  std::size_t converted() const noexcept { return converted_; }
  std::size_t failed() const noexcept { return failed_; }
  /// The failed objects, as far as there was memory to record them.
  const std::vector<Unconverted>& failures() const noexcept { return failures_; }
  std::vector<ConvertedWord> take_words() noexcept { return std::move(words_); }

 private:
  /// 64 slots, converted in place.
  struct Built {
    ConvertedWord& word;
    detail::ObjectBatch batch;
  };

  void mark_olds() noexcept;
  bool may_be_converted(const std::byte* bytes, const std::byte* slot) noexcept;
  void build_word(Built& built) noexcept;
  void exchange_word(const Built& built) noexcept;
  void convert_word(std::byte* bytes, ConvertedWord& word, const HeldSlab& held) noexcept;
  bool convert_object(std::byte* bytes, const std::byte* slot, const HeldSlab& held) noexcept;
  bool build(const detail::ObjectBatch& one, const std::byte* slot) noexcept;
  void put_in_place(const detail::ObjectBatch& one) noexcept;
  void fail(const std::byte* slot, const char* reason) noexcept;

  detail::ObjectConverter& converter_;
  const PoolChange& change_;
  Slab& slab_;
  Unwritten unwritten_;
  Olds olds_;
  std::size_t old_size_;
  std::size_t new_size_;
  StagingArea staging_;
  std::byte* made_;     ///< a cell for the new object
  std::byte* ending_;   ///< … for the old one
  std::byte* scratch_;  ///< … for the converter
  std::size_t converted_ = 0;
  std::size_t failed_ = 0;
  std::vector<Unconverted> failures_;
  std::vector<ConvertedWord> words_;
  std::vector<Built> built_;
};

}  // namespace moult::internal
