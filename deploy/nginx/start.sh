#!/bin/sh
# Starts NGINX as soon as one instance is ready, so that users see no error page during the start. After a minute it starts anyway,
# with its own error page.
trap 'exit 0' TERM QUIT
tries=60
until [ "$tries" -eq 0 ]; do
  for instance in web1 web2 web3; do
    if curl --fail --silent --output /dev/null --max-time 2 "http://$instance:8000/health/ready"; then
      tries=1
      break
    fi
  done
  tries=$((tries - 1))
  [ "$tries" -eq 0 ] || sleep 1 & wait $!
done
exec nginx -c /etc/nginx/inventory/nginx.conf -g 'daemon off;'
