// The division of a pool's memory, and the record of one slab.
//
// A pool's memory consists of regions of 1 GiB. A region is divided into slabs of 64 KiB to 8 MiB, a power of two, and
// a slab into slots of one size. The record of a slab says which of its slots are live. It lies apart from the slots
// (region.hpp).
//
// A slot has two bits. The thread that owns the slab writes `taken`, with plain loads and stores. Every other thread
// that deletes sets `freed`, atomically. A slot is live when it is taken and not freed. The bits behind the last slot
// are taken and freed forever. A third bit marks objects of the pool's other class, if it has two (pool.hpp).
//
// Each birth and each death of an object is one store. Between any two instructions of any thread the bits say exactly
// which slots are live. So a thread may be stopped anywhere in here.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

namespace moult::internal {

/// Bytes of a region's slots. The kernel maps this much memory, aligned to as much, by one page table, which it moves
/// at once.
inline constexpr std::size_t region_size = std::size_t{1} << 30;
/// So that a slab has at most 64 words of bits.
inline constexpr std::size_t smallest_slot = 16;
/// A larger slot fits no slab.
inline constexpr std::size_t largest_slot = std::size_t{8} << 20;

struct Geometry {
  /// `slot_size` is at least smallest_slot and at most largest_slot.
  static Geometry of(std::size_t slot_size) noexcept;

  std::size_t slab_size() const noexcept { return offset_mask + std::size_t{1}; }
  std::uint32_t words() const noexcept { return (slots + 63) / 64; }

  /// The slot around byte `offset` of a slab: a division by multiplication. Exact for every offset in a slab, because
  /// the inverse is too large by less than one part in slab_size squared (Granlund and Montgomery, PLDI 1994).
  std::uint32_t slot_at(std::size_t offset) const noexcept {
    return static_cast<std::uint32_t>((offset * inverse) >> (2 * slab_shift));
  }

  std::uint64_t inverse = 0;
  std::uint32_t slot_size = 0;
  std::uint32_t slab_shift = 0;
  std::uint32_t offset_mask = 0;  ///< slab_size() - 1
  std::uint32_t slots = 0;        ///< in a slab
  std::uint32_t stride = 0;       ///< bytes from the record of a slab to the next one's
  std::uint32_t freed = 0;        ///< words from a slab's bits of one kind to those of the next
  std::uint32_t slabs = 0;        ///< in a region
};

using Word = std::atomic<std::uint64_t>;

/// The number of set bits. Not every x86-64 processor has the instruction, and without it the compiler emits a call.
constexpr std::uint32_t count_ones(std::uint64_t bits) noexcept {
  bits -= bits >> 1 & 0x5555555555555555;
  bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
  bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return static_cast<std::uint32_t>(bits * 0x0101010101010101 >> 56);
}

/// Some of a pool's objects: all, those of its usual class, or those of its other class.
enum class Portion { all, usual, other };

class alignas(64) Slab final {
 public:
  /// Changed under the pool's lock only.
  enum class State : std::uint8_t {
    owned,      ///< a thread allocates from it
    full,       ///< without an owner, and with hardly a free slot
    partial,    ///< without an owner, in the list of slabs with room
    empty,      ///< without an owner or a live slot, kept for the next thread that needs a slab
    discarded,  ///< the same, and its memory is given back to the system
  };

  static constexpr std::size_t line = 64;
  /// The size of one of the three bit arrays: whole cache lines, so that the owner and other threads write to different
  /// ones.
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

  /// The live slots among 64. Exact in a running program too while none of them becomes live or free: `freed` is read
  /// first, because collect() clears `taken` before it.
  std::uint64_t live(std::uint32_t word) const noexcept {
    std::uint64_t freed_bits = freed()[word].load(std::memory_order_seq_cst);
    return taken()[word].load(std::memory_order_relaxed) & ~freed_bits;
  }
  /// The live slots of `portion` among 64.
  std::uint64_t live(std::uint32_t word, Portion portion) const noexcept {
    std::uint64_t bits = live(word);
    if (portion == Portion::all) return bits;
    std::uint64_t other = others()[word].load(std::memory_order_relaxed);
    return portion == Portion::other ? bits & other : bits & ~other;
  }
  bool is_empty() const noexcept;

  /// Makes slots available again that other threads have freed. Called by the owner, or under the pool's lock when
  /// there is none. Returns the number of free slots.
  std::uint32_t collect() noexcept;

  /// All words, as bits of `rooms` and `blank`.
  std::uint64_t all_words() const noexcept { return ~std::uint64_t{0} >> (64 - words_); }

  std::atomic<State> state{State::full};
  std::atomic<bool> is_signalled{false};     ///< in the pool's list of slabs where other threads have freed slots
  std::atomic<bool> has_freed_slots{false};  ///< other threads have freed slots since the owner's last collect()
  std::atomic<std::uint8_t> index{0};        ///< among the owner's slabs; only the owner can rely on it
  std::uint64_t rooms = 0;                   ///< the owner's: words that may have room
  std::uint64_t blank = 0;                   ///< the owner's: words in which it has seen no live slot
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
