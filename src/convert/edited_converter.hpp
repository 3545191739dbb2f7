// The converter of a class that an edit of the program's sources changes: by functions that came with the edit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "moult/detail/conversion.hpp"
#include "moult/detail/edited_class.hpp"

namespace moult::internal {

using detail::EditedClass;

/// Both classes have one name: the objects get another layout. Used by one thread.
class EditedConverter final : public detail::ObjectConverter {
 public:
  enum class Direction { forward, backward };

  /// `edited` outlives the converter. Throws std::bad_alloc.
  EditedConverter(const EditedClass& edited, Direction direction);

  detail::ObjectKind old_kind() const noexcept override;
  detail::ObjectKind new_kind() const noexcept override;
  bool is_in_place() const noexcept override { return false; }
  bool ends_olds() const noexcept override { return steps_.end_old != nullptr; }
  std::uint64_t select(const detail::ObjectBatch& batch) const noexcept override;
  void build(const detail::ObjectBatch& batch) override;
  void discard(const detail::ObjectBatch& batch) noexcept override;
  void exchange(const detail::ObjectBatch& batch, std::byte* scratch) noexcept override;
  void convert_in_place(const detail::ObjectBatch& batch) noexcept override;
  void put_back(const detail::ObjectBatch& batch) noexcept override;
  void end_olds(const detail::ObjectBatch& batch, std::byte* scratch) noexcept override;

 private:
  struct Free {
    std::align_val_t alignment;
    void operator()(std::byte* begin) const noexcept { ::operator delete(begin, alignment); }
  };
  detail::ObjectKind kind(std::uint64_t size) const noexcept;

  const EditedClass& edited_;
  const detail::ObjectSteps& steps_;
  bool is_backward_;
  std::unique_ptr<std::byte, Free> spare_;  ///< room for one object, where the caller has none
};

}  // namespace moult::internal
