// A handler that some requests do not leave: what asks for a page with "?stay" stays until somebody asks for "?go".
#include <condition_variable>

#include "site.hpp"

static std::mutex mutex;
static std::condition_variable changed;
static bool may_go = false;

/// Laid out as a Handler.
class Staying {
 public:
  Answer do_get(const Request& request) {
    if (request.form.contains("go")) {
      const std::scoped_lock lock(mutex);
      may_go = true;
      changed.notify_all();
    }
    if (request.form.contains("stay")) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [] { return may_go; });
    }
    const std::scoped_lock lock(server_->shared()->mutex);
    Page* const page = server_->page(request.path);
    if (page == nullptr) return no_page(request.path);
    Answer answer;
    answer.html = page->html(server_->session(request, answer));
    return answer;
  }

 private:
  WebServer* server_ = nullptr;
};

MOULT_UPDATE {
  auto update = std::make_unique<moult::SafeRedefineUpdate>("staying", &Handler::do_get, &Staying::do_get);
  update->set_patience({.stop_timeout = std::chrono::seconds(20), .max_postponements = {}});
  moult::threaded_manager("web server").add_update(std::move(update));
}
