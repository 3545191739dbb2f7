// A small good update: another text where there is no page.
#include "site.hpp"

static Answer sorry(const std::string&) {
  return {.status = 404, .html = html_document("Sorry", "<p id=\"message\">Nothing to be seen here, sorry.</p>")};
}

MOULT_UPDATE {
  auto update = std::make_unique<moult::SafeRedefineUpdate>("apology", no_page, sorry);
  update->set_patience({.stop_timeout = std::chrono::seconds(20), .max_postponements = {}});
  moult::threaded_manager("web server").add_update(std::move(update));
}
