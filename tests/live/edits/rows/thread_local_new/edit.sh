sed -i 's/^void answer/static thread_local int asked = 0;\nvoid answer/; s/"%s", question/"%s %d", question, ++asked/' app.cpp
