// The record of one slab: which of its slots are live. It lies apart from the slots (region.hpp).
//
// Two bits a slot. `taken` is written by the one thread that owns the slab, with plain loads and stores; `freed` is set
// by every other thread that deletes, atomically. A slot is live when it is taken and not freed. The slots behind the
// last one of a slab are taken and freed for ever. A third bit tells which objects are of the pool's other class, if it
// has two (pool.hpp).
//
// Each birth and each death is one store. Between any two instructions of any thread the bits tell exactly which slots
// are live, so that a thread may be stopped everywhere here.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "pools/geometry.hpp"

namespace moult::internal {

using Word = std::atomic<std::uint64_t>;

/// How many bits are set. The instruction for it is not in every x86-64, and without it a call is made for each word.
constexpr std::uint32_t count_ones(std::uint64_t bits) noexcept {
  bits -= bits >> 1 & 0x5555555555555555;
  bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
  bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return static_cast<std::uint32_t>(bits * 0x0101010101010101 >> 56);
}

/// Some of a pool's objects: those of its usual class, or of the other one.
enum class Portion { all, usual, other };

class alignas(64) Slab final {
 public:
  /// Where a slab stands. Changed under the pool's lock only.
  enum class State : std::uint8_t {
    owned,      ///< some thread allocates from it
    full,       ///< nobody's, and hardly a slot is free
    partial,    ///< nobody's, in the list of those with room
    empty,      ///< nobody's, no slot live, kept for the next that needs one
    discarded,  ///< the same, and its memory is with the system
  };

  static constexpr std::size_t line = 64;
  /// Of one of the three bit arrays; whole cache lines, so that owner and others do not write the same ones.
  static constexpr std::size_t bytes_of_words(std::uint32_t words) noexcept {
    return (words * sizeof(Word) + line - 1) / line * line;
  }

  Slab(std::byte* begin, const Geometry& cut) noexcept;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  std::byte* begin() const noexcept { return begin_; }
  std::byte* slot(std::uint32_t word, std::uint32_t bit, std::size_t slot_size) const noexcept {
    return begin_ + (std::size_t{word} * 64 + bit) * slot_size;
  }
  std::uint32_t words() const noexcept { return words_; }
  Word* taken() const noexcept { return words_begin(); }
  Word* freed() const noexcept { return words_begin() + freed_; }
  Word* others() const noexcept { return words_begin() + std::size_t{2} * freed_; }

  /// The live slots among 64. Exact in a running program too while none of them is born or dies: `freed` is read first,
  /// since collect() clears `taken` before it.
  std::uint64_t live(std::uint32_t word) const noexcept {
    std::uint64_t freed_bits = freed()[word].load(std::memory_order_seq_cst);
    return taken()[word].load(std::memory_order_relaxed) & ~freed_bits;
  }
  /// The same, of those objects that `portion` stands for.
  std::uint64_t live(std::uint32_t word, Portion portion) const noexcept {
    std::uint64_t bits = live(word);
    if (portion == Portion::all) return bits;
    std::uint64_t other = others()[word].load(std::memory_order_relaxed);
    return portion == Portion::other ? bits & other : bits & ~other;
  }
  bool is_empty() const noexcept;

  /// Frees for good what others have freed; the owner, or under the pool's lock when there is none. Returns how many
  /// slots are free then.
  std::uint32_t collect() noexcept;

  /// Every word that there is, as bits of `rooms` and `blank`.
  std::uint64_t all_words() const noexcept { return ~std::uint64_t{0} >> (64 - words_); }

  std::atomic<State> state{State::full};
  std::atomic<bool> is_signalled{false};  ///< in the pool's list of slabs where others have freed
  std::atomic<bool> is_told{false};       ///< others have freed since the owner last collected
  std::atomic<std::uint8_t> index{0};     ///< among those of the owner, who alone can rely on it
  std::uint64_t rooms = 0;                ///< the owner's: words in which it may find room
  std::uint64_t blank = 0;                ///< the owner's: words in which it has seen no live slot
  Slab* next_signalled = nullptr;
  Slab* previous = nullptr;  ///< in the list of its state, under the pool's lock
  Slab* next = nullptr;

 private:
  Word* words_begin() const noexcept {
    return std::launder(reinterpret_cast<Word*>(reinterpret_cast<std::uintptr_t>(this) + sizeof(Slab)));
  }
  std::uint64_t beyond(std::uint32_t word) const noexcept {
    return word + 1 == words_ && slots_ % 64 != 0 ? ~std::uint64_t{0} << (slots_ % 64) : 0;
  }

  std::byte* begin_;
  std::uint16_t slots_;
  std::uint16_t words_;
  std::uint16_t freed_;  ///< words from `taken` to `freed`
};

static_assert(sizeof(Slab) == Slab::line, "a slab's bits begin on the cache line behind its record");

}  // namespace moult::internal
