sed -i 's/limit = 10/limit = 500/; s/"limit %d"/"the limit is %d"/' app.cpp
