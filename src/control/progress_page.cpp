// Problem: a conversion of all objects in one stop may take seconds, while the listener's threads stand still too.
//
// Approach: the figures lie in a page that is also a file beside the listener's socket. Writing them is a store to
// memory. The command reads the file, and needs no thread of the program.
#include "control/progress_page.hpp"

#include <new>

#include "base/progress.hpp"
#include "moult/error.hpp"
#include "platform/fork_handlers.hpp"
#include "platform/shared_page.hpp"

namespace moult::internal {
namespace {

/// A child would write to its parent's page.
void take_down_in_children() {
  register_fork_handlers(ForkPlace::progress_page, {.in_child = [] { hang_up_progress_board(nullptr); }});
}

}  // namespace

class ProgressPage::Impl final {
 public:
  explicit Impl(const std::string& path) : page_(path) {
    take_down_in_children();
    hang_up_progress_board(new (page_.begin()) ProgressBoard);
  }
  ~Impl() { hang_up_progress_board(nullptr); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

 private:
  SharedPage page_;
};

ProgressPage::ProgressPage(const std::string& path) {
  try {
    impl_ = std::make_unique<Impl>(path);
  } catch (const std::exception&) {  // the program works without the page
  }
}

ProgressPage::~ProgressPage() = default;

}  // namespace moult::internal
