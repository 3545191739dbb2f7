// A small good update: another text where there is no page.
#include "site.hpp"

static Answer sorry(const std::string&) {
  return {.status = 404, .html = html_document("Sorry", "<p id=\"message\">Nothing to be seen here, sorry.</p>")};
}

MOULT_UPDATE {
  moult::threaded_manager("web server")
      .add_update(std::make_unique<moult::SafeRedefineUpdate>("apology", no_page, sorry));
}
