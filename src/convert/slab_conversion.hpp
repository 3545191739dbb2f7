// The objects of one chunk, converted in memory that nobody else looks at.
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

/// An object that stays one of the old class.
struct Unconverted {
  const std::byte* object = nullptr;
  std::string reason;
};

/// 64 slots, and what is to be known of them to take their conversion back.
struct ConvertedWord {
  std::uint32_t word = 0;
  std::uint64_t olds = 0;  ///< those with objects of the old class
  std::uint64_t bits = 0;  ///< those of which the objects were converted
  std::uint64_t was_other = 0;
};

/// At any time, also while a transformer runs, each slot's bytes are those of one class, and its `other` bit tells
/// which.
class SlabConversion final {
 public:
  enum class Olds {
    ended,  ///< the old values are destroyed at once
    kept,   ///< their bytes are somewhere else too, and take_words() tells which they are
  };

  /// Takes all the memory that is needed. Throws std::bad_alloc.
  SlabConversion(detail::ObjectConverter& converter, const PoolChange& change, Slab& slab, Unwritten unwritten,
                  Olds olds);

  /// Where the bytes lie are other addresses than the objects' own: both classes bear that. `bytes` are those of the
  /// slab. No slot is born or dies meanwhile, unless the claim's chunk is shown; then what is
  /// left stays what it is.
  void run(std::byte* bytes, const HeldSlab& claim) noexcept;

  /// Before run_in_place. Throws std::bad_alloc.
  void prepare_in_place();
  /// In a stop, in the slab itself. All transformers run before the first object changes, and the old values are
  /// destroyed after the last has.
  void run_in_place() noexcept;

  /// Instead of run: all stay what they are.
  void leave(const char* reason) noexcept;

  std::size_t converted() const noexcept { return converted_; }
  std::size_t failed() const noexcept { return failed_; }
  /// As many of those that failed as there was memory to tell of.
  const std::vector<Unconverted>& failures() const noexcept { return failures_; }
  std::vector<ConvertedWord> take_words() noexcept { return std::move(words_); }

 private:
  /// 64 slots that are converted in place.
  struct Built {
    ConvertedWord& word;
    detail::ObjectBatch batch;
  };

  void mark_olds() noexcept;
  bool may_be_converted(const std::byte* bytes, const std::byte* slot) noexcept;
  void build_word(Built& built) noexcept;
  void exchange_word(const Built& built) noexcept;
  void convert_word(std::byte* bytes, ConvertedWord& word, const HeldSlab& claim) noexcept;
  bool convert_object(std::byte* bytes, const std::byte* slot, const HeldSlab& claim) noexcept;
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
  StagingArea cells_;
  std::byte* made_;     ///< a new object
  std::byte* ending_;   ///< an old one
  std::byte* scratch_;  ///< for the converter
  std::size_t converted_ = 0;
  std::size_t failed_ = 0;
  std::vector<Unconverted> failures_;
  std::vector<ConvertedWord> words_;
  std::vector<Built> built_;
};

}  // namespace moult::internal
