// Why: an update that converts objects has functions that would misread them when the class changes again. Such
// functions are harmless: only the conversion calls them, and it has ended by then. A later change of a class has to
// know them.
//
// How: a converter's memory holds the address of everything it calls: its vtable, and the transformer if that is a
// function. A std::function holds its two service functions, and a function that it wraps. The record takes all words
// of the object as they are; classes/loaded_updates.cpp finds the functions among them.
//
// Limit: a transformer may keep a function's address in memory elsewhere. That function counts as code that may run.
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
