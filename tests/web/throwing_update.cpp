// An update of the pages, whose transformer throws at the second page.
#include <stdexcept>

#include "site.hpp"

/// Begins like a Page, and counts its visitors too.
class Page_v2 : public moult::Updatable<Page_v2> {
 public:
  Page_v2(std::string title, std::string message, long times_shown)
      : title_(std::move(title)), message_(std::move(message)), times_shown_(times_shown) {}

 private:
  std::string title_;
  std::string message_;
  [[maybe_unused]] long times_shown_;
  [[maybe_unused]] long visitors_ = 0;
};

static int count = 0;

static Page_v2 transformer(const Page& page) {
  if (++count == 2) throw std::runtime_error("the second page is too much");
  return {page.title(), page.message(), page.times_shown()};
}

MOULT_UPDATE {
  auto update = std::make_unique<moult::EagerConversionUpdate<Page, Page_v2>>("Page", transformer);
  update->set_patience({.stop_timeout = std::chrono::seconds(20), .max_postponements = {}});
  moult::threaded_manager("web server").add_update(std::move(update));
}
