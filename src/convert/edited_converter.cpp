#include "convert/edited_converter.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <typeinfo>

#include "base/names.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

/// The class of the whole object, which begins with the address of its table of virtual functions (Itanium C++ ABI).
const std::type_info& type_of_object(const std::byte* object) noexcept {
  const std::type_info* const* table = nullptr;
  std::memcpy(&table, object, sizeof table);
  return *table[-1];
}

/// "Item::colour" of the field with that number.
std::string field_name(const EditedClass& edited, std::size_t number) {
  std::string_view names = edited.fields != nullptr ? edited.fields : "";
  for (; number > 0; --number) names.remove_prefix(std::min(names.find(','), names.size() - 1) + 1);
  return std::string(names.substr(0, names.find(',')));
}

/// In a handler of what the field's initialiser threw.
[[noreturn]] void rethrow_with_field(const EditedClass& edited, std::size_t number) {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::no_room, field_name(edited, number) +
                                        ": its initialiser had no memory for an object that exists; try again when the "
                                        "program has some, or give the field a value that needs less");
  } catch (const std::exception& error) {
    const std::string type = name_of_type(*abi::__cxa_current_exception_type());
    throw Error(ErrorCode::internal, field_name(edited, number) + ": its initialiser threw " + type + " (" +
                                         error.what() +
                                         ") for an object that exists; give the field a value that cannot fail");
  }
}

}  // namespace

EditedConverter::EditedConverter(const EditedClass& edited, Direction direction)
    : edited_(edited),
      steps_(direction == Direction::forward ? edited.forward : edited.backward),
      is_backward_(direction == Direction::backward),
      spare_(static_cast<std::byte*>(
                 ::operator new (std::max(edited.old_size, edited.size), std::align_val_t{edited.alignment})),
             Free{std::align_val_t{edited.alignment}}) {}

detail::ObjectKind EditedConverter::kind(std::uint64_t size) const noexcept {
  return {edited_.type, size, edited_.alignment, edited_.is_polymorphic != 0};
}

detail::ObjectKind EditedConverter::old_kind() const noexcept {
  return kind(is_backward_ ? edited_.size : edited_.old_size);
}

detail::ObjectKind EditedConverter::new_kind() const noexcept {
  return kind(is_backward_ ? edited_.old_size : edited_.size);
}

std::uint64_t EditedConverter::select(const detail::ObjectBatch& batch) const noexcept {
  if (edited_.is_polymorphic == 0) return batch.bits;
  std::uint64_t selected = 0;
  for (std::uint64_t left = batch.bits; left != 0; left &= left - 1) {
    const std::byte* const slot = batch.slots + static_cast<std::size_t>(std::countr_zero(left)) * batch.slot_size;
    if (type_of_object(slot) == *edited_.type) selected |= left & -left;
  }
  return selected;
}

void EditedConverter::build(const detail::ObjectBatch& batch) {
  if (steps_.build == nullptr) return;
  detail::ObjectBatch built = batch;  // so far
  built.bits = 0;
  std::uint64_t left = batch.bits;
  std::size_t at = 0;
  try {
    batch.for_each([&](std::byte* slot, std::byte* cell) {
      if (!steps_.build(slot, cell, at))
        throw Error(ErrorCode::unsupported, field_name(edited_, at) +
                                                ": its initialiser keeps the object's address, while other fields are "
                                                "moved or removed; make two edits of it");
      built.bits |= left & -left;
      left &= left - 1;
    });
  } catch (...) {
    discard(built);
    rethrow_with_field(edited_, at);
  }
}

void EditedConverter::discard(const detail::ObjectBatch& batch) noexcept {
  if (steps_.discard != nullptr) batch.for_each(steps_.discard);
}

void EditedConverter::exchange(const detail::ObjectBatch& batch, std::byte*) noexcept {
  if (steps_.exchange == nullptr) return;
  batch.for_each([this](std::byte* slot, std::byte* cell) { steps_.exchange(slot, cell, spare_.get()); });
}

void EditedConverter::convert_in_place(const detail::ObjectBatch&) noexcept {}

void EditedConverter::put_back(const detail::ObjectBatch& batch) noexcept {
  if (steps_.put_back == nullptr) return;
  batch.for_each([this](std::byte* slot, std::byte* cell) { steps_.put_back(slot, cell, spare_.get()); });
}

void EditedConverter::end_olds(const detail::ObjectBatch& batch, std::byte*) noexcept {
  if (steps_.end_old == nullptr) return;
  batch.for_each([this](std::byte* slot, std::byte* cell) { steps_.end_old(slot, cell, spare_.get()); });
}

}  // namespace moult::internal
