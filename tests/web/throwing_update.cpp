// The tutorial's update, but for a transformer that throws at the second page it is given.
#include <stdexcept>

#include "log_in.hpp"

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
