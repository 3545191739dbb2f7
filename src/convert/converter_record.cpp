// Problem: an update that converts objects has functions that make an object of one class from another. They misread
// either class as soon as that class changes again. But only the conversion calls them, and it is over by then. So a
// later change of a class must know these functions.
//
// Approach: a converter's own memory leads to all functions that it calls. It holds the vtable, and the address of a
// transformer that is a function. A std::function holds the two functions that serve it, and the wrapped one. The words
// are recorded as they are; classes/loaded_updates.cpp finds out which of them are functions of an update.
//
// Limits: a transformer may keep the address of another function in other memory. That function counts as code that may
// still run.
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/code_record.hpp"
#include "moult/data_update.hpp"

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

void record_converter(ObjectConverter& converter, std::size_t size) {
  std::vector<const void*> words(size / sizeof(void*));
  std::memcpy(words.data(), static_cast<const void*>(&converter), words.size() * sizeof(void*));
  using internal::CodeRecord, internal::CodeUse;
  converter.record = std::make_shared<std::pair<CodeRecord, CodeRecord>>(
      CodeRecord(CodeUse::converter, {internal::vtable_of(&converter)}),
      CodeRecord(CodeUse::transformer, std::move(words)));
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
