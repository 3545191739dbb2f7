// Executable memory for small pieces of code, such as those near a function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/guarded.hpp"

namespace moult::internal {

/// Cells of code in pages of their own, taken one after the other and never given back: a thread may be anywhere on its
/// way through. Safe for several threads.
class CodeCells final {
 public:
  /// `on_page` is called with each new page, under the lock. It may throw; the page is then left unused.
  explicit CodeCells(std::function<void(CodeRange)> on_page = {}) : on_page_(std::move(on_page)) {}
  CodeCells(const CodeCells&) = delete;
  CodeCells& operator=(const CodeCells&) = delete;

  /// A cell within reach of `place`, on a boundary of 32 bytes. `name` is for messages. Throws Error (no_room).
  CodeAddress take(const std::string& name, CodeAddress place, std::size_t size);
  /// Writes into a cell that no thread runs through yet; other cells of its page may be in use. Throws Error (system).
  void write(CodeAddress at, std::span<const std::uint8_t> bytes);

 private:
  struct Page {
    std::uintptr_t begin = 0;
    std::size_t used = 0;
  };

  Page map_page(const std::string& name, CodeAddress place) const;

  std::function<void(CodeRange)> on_page_;
  Guarded<std::vector<Page>> pages_;
};

/// The cells of gates and of moved instructions.
CodeCells& near_code();

}  // namespace moult::internal
