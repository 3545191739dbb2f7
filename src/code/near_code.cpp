// A page is writable only while a cell of it is written, and stays executable meanwhile.
#include "code/near_code.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "base/fault.hpp"
#include "code/near_pool.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t cell_reach = (std::size_t{1} << 31) - (std::size_t{1} << 20);
constexpr std::size_t cell_boundary = 32;

}  // namespace

CodeCells::Page CodeCells::map_page(const std::string& name, CodeAddress place) const {
  MOULT_FAULT("code.near_code.map");
  const AddressSpace& space = address_space();
  for (int round = 0; round < most_mapping_rounds; ++round)
    for (std::uintptr_t begin : free_places(space.mappings(), value(place), page_size(), cell_reach))
      if (space.map_at(begin, page_size(), Protection::read | Protection::execute)) return {begin, 0};
  throw Error(ErrorCode::no_room, name + ": no free address space within 2 GB of its code at " +
                                      hex_text(value(place)) +
                                      ", where a page for its first instructions is needed; unmap something near it");
}

CodeAddress CodeCells::take(const std::string& name, CodeAddress place, std::size_t size) {
  size = (size + cell_boundary - 1) / cell_boundary * cell_boundary;
  return pages_.with([&](std::vector<Page>& pages) {
    auto is_usable = [&](const Page& page) {
      return page.used + size <= page_size() && distance_between(page.begin, value(place)) < cell_reach;
    };
    auto page = std::find_if(pages.begin(), pages.end(), is_usable);
    if (page == pages.end()) {
      pages.reserve(pages.size() + 1);
      const Page made = map_page(name, place);
      if (on_page_) on_page_({CodeAddress{made.begin}, CodeAddress{made.begin + page_size()}});
      page = pages.insert(pages.end(), made);
    }
    return CodeAddress{page->begin + std::exchange(page->used, page->used + size)};
  });
}

void CodeCells::write(CodeAddress at, std::span<const std::uint8_t> bytes) {
  MOULT_FAULT("code.near_code.write");
  const AddressSpace& space = address_space();
  const std::size_t size = page_size();
  const std::uintptr_t page = value(at) / size * size;
  pages_.with([&](std::vector<Page>&) {
    if (!space.protect(page, size, Protection::read | Protection::write | Protection::execute))
      throw Error(ErrorCode::system, std::string("code near a function cannot be written: ") + std::strerror(errno) +
                                         "; the system's security policy must allow it (execmem)");
    std::memcpy(reinterpret_cast<void*>(value(at)), bytes.data(), bytes.size());
    MOULT_CHECK(space.protect(page, size, Protection::read | Protection::execute), "a page of code cannot be closed");
  });
}

CodeCells& near_code() {
  static CodeCells& only = *new CodeCells();
  return only;
}

}  // namespace moult::internal
