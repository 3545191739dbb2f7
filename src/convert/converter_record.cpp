// Why: an update that converts objects has functions that make an object of one class from another, and these are about
// to misread either class as soon as it changes again. They need not: nothing but the conversion calls them, and it is
// over by then. So a later change of a class has to know them.
//
// How: everything that a converter calls is found in its own memory: its vtable, and the transformer's address, if that
// is a function. Of a std::function these are the two functions that serve it, and the function it wraps. The words
// are noted as they are; classes/loaded_updates.cpp looks which of them are functions of an update.
//
// Limit: a transformer that keeps the address of another function in memory of its own, elsewhere, has that function
// count as code that may still run.
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
  converter.record = std::make_shared<internal::CodeRecord>(internal::CodeUse::conversion, std::move(words));
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
